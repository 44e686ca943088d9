/** Waits for an interrupt (SIGINT, SIGTERM) or for `ended`; then cleans up. Answers the exit code. */
export async function untilInterrupted(
  cleanUp: () => void | Promise<void>,
  ended?: Promise<number>,
): Promise<number> {
  const interrupted = new Promise<number>((resolve) => {
    process.once("SIGINT", () => resolve(130));
    process.once("SIGTERM", () => resolve(130));
  });
  const code = await (ended ? Promise.race([interrupted, ended]) : interrupted);
  await cleanUp();
  return code;
}
