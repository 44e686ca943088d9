/** Takes the pin of the one WS2812 lamp: 0, or an error of the IDF. */
export function open(pin: number): number;
/** 0 … 255 each: 0, or an error of the IDF, and the lamp is as it was. */
export function set(red: number, green: number, blue: number): number;
