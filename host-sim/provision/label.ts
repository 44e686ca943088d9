/** A module's label as SVG, 60 × 36 mm: its serial number, its secret to read and to type, and a QR code that joins its setup Wi-Fi. */
import qrcode from "qrcode-generator";
import { setupNetwork, setupPassphrase } from "../../src/setup/kept-setup.js";

export { setupNetwork };

/** What a telephone reads out of the label: the access point of setup. Special characters are escaped (ZXing's convention). */
export function wifiText(serial: string, secret: string): string {
  const escaped = (text: string): string => text.replaceAll(/([\\;,:"])/g, "\\$1");
  return `WIFI:T:WPA;S:${escaped(setupNetwork(serial))};P:${escaped(setupPassphrase(secret))};;`;
}

/** Rows of the QR code, true = dark. Error correction Q: a label in a garage gets dirty. */
export function qrRows(text: string): boolean[][] {
  const code = qrcode(0, "Q");
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  return Array.from({ length: size }, (_r, row) =>
    Array.from({ length: size }, (_c, column) => code.isDark(row, column)),
  );
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function labelSvg(serial: string, secret: string): string {
  const rows = qrRows(wifiText(serial, secret));
  const cell = 26 / rows.length;
  let path = "";
  rows.forEach((row, y) =>
    row.forEach((dark, x) => {
      if (dark)
        path += `M${(3 + x * cell).toFixed(3)} ${(5 + y * cell).toFixed(3)}h${cell.toFixed(3)}v${cell.toFixed(3)}h-${cell.toFixed(3)}z`;
    }),
  );
  const groups = secret.split("-");
  const text = (x: number, y: number, size: number, what: string, more = ""): string =>
    `<text x="${x}" y="${y}" font-size="${size}" ${more}>${xml(what)}</text>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="36mm" viewBox="0 0 60 36" font-family="DejaVu Sans Mono, monospace">
<title>Label of ${xml(serial)}</title>
<rect width="60" height="36" fill="#fff"/><path d="${path}" fill="#000"/>
${text(32, 8, 2.6, "CTA-2045 module", 'font-weight="bold"')}
${text(32, 12, 2.4, serial)}
${text(32, 17.5, 2, "Setup Wi-Fi")}
${text(32, 20.5, 2.2, setupNetwork(serial))}
${text(32, 25, 2, "Secret (and its password)")}
${text(32, 28.5, 2.8, groups.slice(0, 2).join("-"), 'font-weight="bold"')}
${text(32, 32, 2.8, groups.slice(2).join("-"), 'font-weight="bold"')}
</svg>
`;
}
