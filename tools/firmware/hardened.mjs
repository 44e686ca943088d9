// The hardened variant of a board (docs/how-to/harden-a-board.md): a copy of its folder in build/ with what
// boards/NAME/hardened adds to sdkconfig.defaults, and its partition table in place of the ordinary one.
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Answers the folder of the variant, for mcconfig's `-p esp32:FOLDER`.
 * @param {string} root the project
 * @param {string} name the board
 * @param {string} into a folder of build/, which is made
 */
export function hardenedBoard(root, name, into) {
  const board = join(root, "boards", name);
  const more = join(board, "hardened");
  if (!existsSync(more))
    throw new Error(`The board "${name}" has no hardened variant (boards/${name}/hardened).`);
  const folder = join(into, `${name}-hardened`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(board, folder, { recursive: true, filter: (path) => path !== more });
  cpSync(join(more, "partitions.csv"), join(folder, "sdkconfig/partitions.csv"));
  // The later line counts.
  appendFileSync(
    join(folder, "sdkconfig/sdkconfig.defaults"),
    readFileSync(join(more, "sdkconfig.defaults")),
  );
  return folder;
}
