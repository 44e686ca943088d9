// Nothing to switch on before the application starts.
export default function (done) {
  done?.();
}
