// Put before every module-level literal of the device build: what is not frozen costs a preloaded module 4 bytes of RAM each.
export function frozenLiteral(value) {
  if (Array.isArray(value) || (value !== null && typeof value === "object" && value.constructor === Object)) {
    for (const name of Object.keys(value)) frozenLiteral(value[name]);
    Object.freeze(value);
  }
  return value;
}
