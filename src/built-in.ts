/**
 * What a build for a device has left out of the program (tools/firmware/bundle.mjs puts a list in the place of this one).
 * Names are those of `protocol` in the configuration.
 */
export const leftOut: readonly string[] = [];
