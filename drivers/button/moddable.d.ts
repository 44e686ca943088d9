/** What sdk.ts uses of the Moddable SDK, as its documentation (ECMA-419) has it, so that it is type-checked without the SDK. */
declare module "embedded:io/digital" {
  export default class Digital {
    static readonly InputPullUp: number;
    static readonly Output: number;
    constructor(options: { readonly pin: number; readonly mode: number; readonly initialValue?: number });
    read(): number;
    write(value: number): void;
  }
}
