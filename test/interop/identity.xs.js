// Runs in XS, after the drivers: `argument` is a list of [name, …arguments]; each answer is printed as a line of JSON.
/* global Tls, argument, print, sleep, request, install, putRoots, confirm, drop, date, rootsVersion, use */
const natives = { request, install, putRoots, confirm, drop, date, rootsVersion, use };
const tls = new Tls({ utcMs: () => undefined, timeoutMs: 10000 });
/** Opens, says a line, and gives what comes until the other side ends. */
const talk = (credentials, port) => {
  let text = "";
  tls.open({ id: 1, host: "localhost", port, secure: true, credentials });
  for (;;) {
    const e = tls.poll();
    if (e === undefined) sleep(2);
    else if (e.ev === "open")
      tls.write(
        1,
        Uint8Array.from("hello\n", (c) => c.charCodeAt(0)),
      );
    else if (e.ev === "data") text += String.fromCharCode(...e.bytes);
    else return e.ev === "failed" && text === "" ? `${e.reason} ${e.text}` : text;
  }
};
for (const [name, ...values] of JSON.parse(argument())) {
  const answer =
    name === "talk" ? talk(...values) : natives[name](...values.map((v) => (v === null ? NaN : v)));
  print(JSON.stringify({ name, answer }));
}
tls.end();
