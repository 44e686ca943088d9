import { civilFromDays, DAY_MS } from "../base/iso8601.js";

/** A UTC time as OCPP messages carry it, with milliseconds: `2026-11-21T08:00:00.000Z`. */
export function formatInstant(utcMs: number): string {
  const days = Math.floor(utcMs / DAY_MS);
  const ms = Math.floor(utcMs - days * DAY_MS);
  const { year, month, day } = civilFromDays(days);
  const s = Math.floor(ms / 1000);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${pad(Math.floor(s / 3600), 2)}:${pad(Math.floor(s / 60) % 60, 2)}:${pad(s % 60, 2)}.${pad(ms % 1000, 3)}Z`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
