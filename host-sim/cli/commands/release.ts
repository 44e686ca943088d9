import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { isFault } from "../../../src/base/fault.js";
import { LONGEST_WAIT_HOURS, MOST_WAIT_HOURS } from "../../../src/update/offer.js";
import { FolderFiles } from "../../release/files.js";
import { KeyError, makeKeyFile, readKeyFile, readKeyFolder, type SigningKey } from "../../release/keys.js";
import { publish } from "../../release/publish.js";
import {
  ReleaseError,
  Repository,
  ROLES,
  VALID_DAYS,
  type Context,
  type Missing,
  type RoleName,
  type Validity,
} from "../../release/repository.js";
import { verifyRepository } from "../../release/verify.js";
import { wholeNumber } from "../options.js";
import { CommandError, Output, UsageError } from "../output.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";

interface Common {
  readonly repo: string;
  readonly keys: string[];
  readonly passphraseFile?: string;
  readonly json?: boolean;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`);
  }
}

function passphraseOf({ passphraseFile }: Pick<Common, "passphraseFile">): string | undefined {
  if (passphraseFile === undefined) return undefined;
  const passphrase = read(passphraseFile)
    .toString()
    .replace(/\r?\n$/, "");
  if (passphrase === "") throw new UsageError(`${passphraseFile} is empty`);
  return passphrase;
}

/** Folders and single files with keys. */
function keysOf(flags: Common): SigningKey[] {
  const passphrase = passphraseOf(flags);
  return flags.keys.flatMap((path) =>
    path.endsWith(".pem") ? [readKeyFile(path, passphrase)] : readKeyFolder(path, passphrase),
  );
}

function contextOf(flags: Common, validDays: Partial<Validity> = {}): Context {
  return { keys: keysOf(flags), utcMs: Date.now(), validDays };
}

/** The board that is a computer. */
const BENCH_BOARD = "bench";

/** `25%` or `0.5%` as parts of ten thousand. */
function share(text: string): number {
  const match = /^(\d+(?:\.\d{1,2})?)%?$/.exec(text);
  const bp = match ? Math.round(Number(match[1]) * 100) : -1;
  if (bp < 0 || bp > 10_000) throw new InvalidArgumentError("a share is 0 to 100 %, e.g. 5%.");
  return bp;
}

function roleName(text: string): RoleName {
  if (!(ROLES as readonly string[]).includes(text))
    throw new InvalidArgumentError(`one of ${ROLES.join(", ")}.`);
  return text as RoleName;
}

/** What was done, and what still lacks signatures. */
function tell(
  output: Output,
  what: string,
  text: string,
  missing: readonly Missing[],
  more: object = {},
): number {
  output.emit({ event: what, ...more, missing }, text);
  for (const { role, version, have, need } of missing)
    output.emit(
      { event: "missing", role, version, have, need },
      `${role}.json version ${version} has ${have} of ${need} signatures: complete it with` +
        ` openucm release sign --keys FOLDER-OF-THE-OTHER-KEYS; until then it is not published.`,
    );
  return 0;
}

/** 0: there is none, or it cannot be read. */
function timestampVersion(files: FolderFiles): number {
  try {
    return new Repository(files).timestamp()?.signed.version ?? 0;
  } catch {
    return 0;
  }
}

/** What the tool's own errors mean for the exit code: wrong use. */
function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof ReleaseError || error instanceof KeyError) throw new UsageError(error.message);
    throw error;
  }
}

const rootOption = (): Option =>
  new Option("--root <file>", "the root that devices are made with").default(
    undefined,
    "REPO/metadata/1.root.json",
  );

export function addRelease(program: Command, run: Run): void {
  const release = program
    .command("release")
    .description("sign firmware and publish it for update over the air (The Update Framework)")
    .addHelpText(
      "after",
      `
A first release, all keys on this computer (docs/how-to/release-firmware.md tells how to keep root offline):
  openucm release init --repo fw --keys fw-keys
  openucm release add firmware.bin --board weact-can485 --set-version 1.1.0 --share 5% --repo fw --keys fw-keys
  openucm release publish --repo fw --to /srv/www/fw
  openucm release share weact-can485-1.1.0.bin 100% --repo fw --keys fw-keys
  openucm release refresh --repo fw --keys fw-keys        daily: the timestamp lasts ${VALID_DAYS.timestamp} days`,
    );
  const sub = (name: string, about: string): Command => {
    const command = release.command(name).description(about).exitOverride();
    return command
      .showHelpAfterError("(add --help for usage)")
      .requiredOption("--repo <dir>", "folder of the repository");
  };
  const withKeys = (command: Command): Command =>
    command
      .requiredOption("--keys <paths...>", "folders with keys, or single keys (.pem)")
      .option("--passphrase-file <file>", "file with the passphrase of the keys")
      .option("--json", "one JSON object a line");
  const repositoryOf = (flags: Common): Repository => new Repository(new FolderFiles(flags.repo));

  withKeys(sub("init", "the key ceremony: make keys, and the first root that names them"))
    .option("--root-keys <n>", "root keys to make", wholeNumber(1), 3)
    .option("--root-threshold <n>", "root keys that must sign", wholeNumber(1), 2)
    .option("--targets-keys <n>", "keys for images to make", wholeNumber(1), 2)
    .option("--targets-threshold <n>", "keys that must sign an image", wholeNumber(1), 1)
    .option("--timestamp-days <n>", "how long a timestamp lasts", wholeNumber(1), VALID_DAYS.timestamp)
    .action(
      (
        flags: Common &
          Record<"rootKeys" | "rootThreshold" | "targetsKeys" | "targetsThreshold" | "timestampDays", number>,
      ) =>
        run(() =>
          guarded(() => {
            const output = new Output(flags.json ?? false);
            const folder = flags.keys[0]!;
            const repository = repositoryOf(flags);
            if (repository.versions("root").length > 0)
              throw new UsageError(`There is a repository in ${flags.repo} already; init begins a new one.`);
            if (flags.rootThreshold > flags.rootKeys || flags.targetsThreshold > flags.targetsKeys)
              throw new UsageError("A threshold cannot be more than there are keys.");
            const passphrase = passphraseOf(flags);
            const counts = { root: flags.rootKeys, timestamp: 1, snapshot: 1, targets: flags.targetsKeys };
            const made = (role: RoleName): SigningKey[] =>
              Array.from({ length: counts[role] }, (_, i) =>
                makeKeyFile(folder, `${role}-${i + 1}`, passphrase),
              );
            const keys = {
              ...{ root: made("root"), timestamp: made("timestamp") },
              ...{ snapshot: made("snapshot"), targets: made("targets") },
            };
            Repository.create(
              repository.files,
              keys,
              { root: flags.rootThreshold, timestamp: 1, snapshot: 1, targets: flags.targetsThreshold },
              {
                keys: ROLES.flatMap((role) => keys[role]),
                utcMs: Date.now(),
                validDays: { timestamp: flags.timestampDays },
              },
            );
            const root = join(flags.repo, "metadata/1.root.json");
            const text = `Keys in ${folder}, repository in ${flags.repo}. Devices are made with ${root}.\nTake the root keys off this computer now; daily work needs timestamp and snapshot alone.`;
            return tell(output, "made", text, [], { root, keys: folder });
          }),
        ),
    );

  withKeys(sub("add", "add an image"))
    .argument("<image>", "file with the firmware")
    .requiredOption("--board <name>", "board it is for")
    .requiredOption("--set-version <version>", "its version, e.g. 1.1.0")
    .option("--name <name>", "name of the target (default BOARD-VERSION.bin)")
    .addOption(
      new Option(
        "--share <percent>",
        `share of the modules that take it at first; to be said for every board but ${BENCH_BOARD}`,
      ).argParser(share),
    )
    .option("--minimum <version>", "only modules that run at least this version take it")
    .option("--not-during-event", "neither fetched nor booted during a grid event")
    .option(
      "--longest-wait <hours>",
      `with it: so long at most, 0 to ${MOST_WAIT_HOURS} (default ${LONGEST_WAIT_HOURS}, a week)`,
      wholeNumber(0, MOST_WAIT_HOURS),
    )
    .option(
      "--security-version <n>",
      "value of the one-way counter in the fuses that it needs",
      wholeNumber(0),
    )
    .action(
      (
        path: string,
        flags: Common & {
          board: string;
          setVersion: string;
          name?: string;
          share?: number;
          minimum?: string;
          notDuringEvent?: boolean;
          longestWait?: number;
          securityVersion?: number;
        },
      ) =>
        run(() =>
          guarded(() => {
            const { board, setVersion: version } = flags;
            if (flags.longestWait !== undefined && flags.notDuringEvent !== true)
              throw new UsageError("--longest-wait says how long --not-during-event may hold: give both.");
            // Nobody ships to every home at once because he forgot an option; the bench's board hangs in no home.
            const shareBp = flags.share ?? (board === BENCH_BOARD ? 10_000 : undefined);
            if (shareBp === undefined)
              throw new UsageError(
                "--share is missing: say which share of the modules takes this image at first, e.g. --share 1%," +
                  " and raise it with openucm release share when those are well; --share 100% is every module at once.",
              );
            const name = flags.name ?? `${board}-${version}.bin`;
            const custom = {
              ...{ board, version, shareBp },
              ...(flags.minimum === undefined ? {} : { minimumVersion: flags.minimum }),
              ...(flags.notDuringEvent === true ? { notDuringEvent: true } : {}),
              ...(flags.longestWait === undefined ? {} : { longestWaitHours: flags.longestWait }),
              ...(flags.securityVersion === undefined ? {} : { securityVersion: flags.securityVersion }),
            };
            const missing = repositoryOf(flags).add(read(path), name, custom, contextOf(flags));
            const text = `${name}: ${basename(path)} as version ${version} for ${board}, taken by ${shareBp / 100} %.`;
            return tell(new Output(flags.json ?? false), "added", text, missing, { target: name, ...custom });
          }),
        ),
    );

  withKeys(sub("roots", "give modules new trust roots for their servers"))
    .argument("<bundle>", "file with all root certificates that are to be trusted from now on, PEM")
    .requiredOption("--credentials <name>", "id of the upstream, or update for the update server")
    .requiredOption("--set-version <n>", "higher than the one before", wholeNumber(1))
    .action((path: string, flags: Common & { credentials: string; setVersion: number }) =>
      run(() =>
        guarded(() => {
          const { credentials, setVersion: version } = flags;
          const bundle = read(path).toString("utf8");
          const missing = repositoryOf(flags).addRoots(bundle, credentials, version, contextOf(flags));
          const text = `Trust roots ${version} for ${credentials}. A module keeps its old ones until a server has answered under these.`;
          return tell(new Output(flags.json ?? false), "roots", text, missing, { credentials, version });
        }),
      ),
    );

  withKeys(sub("share", "raise or lower the share of a staged rollout"))
    .argument("<target>", "name of the image")
    .argument("<percent>", "e.g. 25%", share)
    .action((name: string, shareBp: number, flags: Common) =>
      run(() =>
        guarded(() => {
          const missing = repositoryOf(flags).setShare(name, shareBp, contextOf(flags));
          const text = `${name} is taken by ${shareBp / 100} %.`;
          return tell(new Output(flags.json ?? false), "shared", text, missing, { target: name, shareBp });
        }),
      ),
    );

  withKeys(sub("revoke", "withdraw an image"))
    .argument("<target>", "name of the image")
    .action((name: string, flags: Common) =>
      run(() =>
        guarded(() => {
          const missing = repositoryOf(flags).revoke(name, contextOf(flags));
          const text = `${name} is withdrawn: no module takes it any more. Publish, and release a newer version for those that have it.`;
          return tell(new Output(flags.json ?? false), "revoked", text, missing, { target: name });
        }),
      ),
    );

  withKeys(
    sub("rotate-key", "replace a key by a new one: a new root, signed by the old root keys and the new"),
  )
    .argument("<role>", "root, timestamp, snapshot or targets", roleName)
    .argument("<old>", "name of the key's file without .pem, or its key id")
    .requiredOption("--new-keys <dir>", "folder for the new key")
    .option("--name <name>", "name of the new key's file (default ROLE-N)")
    .action((role: RoleName, old: string, flags: Common & { newKeys: string; name?: string }) =>
      run(() =>
        guarded(() => {
          const repository = repositoryOf(flags);
          const context = contextOf(flags);
          const ids = repository.root().signed.roles[role]!.keyIDs;
          const id = context.keys.find((key) => key.name === old)?.keyId ?? old;
          if (!ids.includes(id)) {
            const known = ids.map(
              (one) => `${one} (${context.keys.find(({ keyId }) => keyId === one)?.name ?? "not at hand"})`,
            );
            throw new UsageError(
              `"${old}" is no key of ${role} that is at hand; a lost one is named by its id. Its keys are ${known.join(", ")}.`,
            );
          }
          const next = repository.versions("root").at(-1)! + 1;
          const fresh = makeKeyFile(flags.newKeys, flags.name ?? `${role}-root${next}`, passphraseOf(flags));
          const kept = {
            ...context,
            keys: [...context.keys.filter((key) => key.keyId !== id || role === "root"), fresh],
          };
          const missing = repository.rotate((roles, keys) => {
            roles[role].keyids = [...roles[role].keyids.filter((one) => one !== id), fresh.keyId];
            keys[fresh.keyId] = fresh.publicKey;
          }, kept);
          const text = `Root ${next}: ${role} is signed by ${fresh.name} instead of ${old}.`;
          return tell(new Output(flags.json ?? false), "rotated", text, missing, {
            role,
            keyId: fresh.keyId,
          });
        }),
      ),
    );

  withKeys(sub("sign", "add signatures of further keys to what lacks them")).action((flags: Common) =>
    run(() =>
      guarded(() => {
        const missing = repositoryOf(flags).complete(contextOf(flags));
        const text = missing.length === 0 ? "All is signed." : "Signed with what is at hand.";
        return tell(new Output(flags.json ?? false), "signed", text, missing);
      }),
    ),
  );

  withKeys(sub("refresh", "a new timestamp; new snapshot and targets where they end soon"))
    .option("--timestamp-days <n>", "how long it lasts", wholeNumber(1), VALID_DAYS.timestamp)
    .action((flags: Common & { timestampDays: number }) =>
      run(() =>
        guarded(() => {
          const repository = repositoryOf(flags);
          const output = new Output(flags.json ?? false);
          const context = contextOf(flags, { timestamp: flags.timestampDays });
          const before = repository.timestamp()?.signed.version ?? 0;
          const missing = repository.refresh(context);
          const timestamp = repository.timestamp()!.signed;
          const isNew = timestamp.version > before;
          const text = `${isNew ? "" : "Not renewed: "}Timestamp ${timestamp.version}, until ${timestamp.expires}.`;
          tell(output, "refreshed", text, missing, { expires: timestamp.expires, renewed: isNew });
          if (repository.targetsEndSoon(context)) {
            const { expires } = repository.targets().signed;
            output.emit(
              { event: "ends-soon", role: "targets", expires },
              `targets.json ends on ${expires}: run refresh once with its key as well; after that day no module updates.`,
            );
          }
          // A daily job has to notice.
          return isNew ? 0 : 1;
        }),
      ),
    );

  const check = (flags: Common & { root?: string }, folder: string): ReturnType<typeof verifyRepository> => {
    const files = new FolderFiles(folder);
    const root = flags.root ?? join(folder, "metadata/1.root.json");
    const progress = new Progress(1, flags.json ?? false);
    const targets = verifyRepository(files, read(root).toString(), Date.now(), (done, total) =>
      progress.update(done / total, `${done} of ${total} files`),
    );
    progress.end();
    return targets;
  };

  sub("verify", "check a repository or a published folder as a module does, and every file in it")
    .addOption(rootOption())
    .option("--json", "one JSON object a line")
    .action((flags: Common & { root?: string }) =>
      run(() => {
        const output = new Output(flags.json ?? false);
        const targets = check(flags, flags.repo);
        if (isFault(targets)) throw new CommandError(`${flags.repo}: ${targets.text} (${targets.fault})`);
        for (const { path, length, custom } of targets) {
          const { version, board, shareBp, trustRoots } = custom;
          if (trustRoots !== undefined)
            output.emit(
              { event: "target", path, length, ...custom },
              `${path}  trust roots, ${length} bytes`,
            );
          if (typeof version === "string")
            output.emit(
              { event: "target", path, length, ...custom },
              `${path}  version ${version} for ${String(board)}, ${length} bytes, taken by ${Number(shareBp) / 100} %`,
            );
        }
        output.emit({ event: "verified", files: targets.length }, `All in order: ${targets.length} files.`);
        return 0;
      }),
    );

  sub("publish", "check, then put into the folder of a static web server; the timestamp last")
    .addOption(rootOption())
    .requiredOption("--to <dir>", "folder of the web server")
    .option("--json", "one JSON object a line")
    .action((flags: Common & { root?: string; to: string }) =>
      run(() => {
        const output = new Output(flags.json ?? false);
        const targets = check(flags, flags.repo);
        if (isFault(targets))
          throw new CommandError(
            `not published, a module would refuse it: ${targets.text} (${targets.fault})`,
          );
        const progress = new Progress(1, flags.json ?? false);
        const from = new FolderFiles(flags.repo);
        const to = new FolderFiles(flags.to);
        const [there, ours] = [timestampVersion(to), timestampVersion(from)];
        if (there > ours)
          throw new CommandError(
            `not published: ${flags.to} has timestamp ${there} already, this repository ${ours}; modules would refuse it as a roll-back. Take the newest copy of the repository.`,
          );
        const { written, deleted } = publish(from, to, targets, (done, total) =>
          progress.update(done / total, `${done} of ${total} files`),
        );
        progress.end();
        const text = `${flags.to}: ${written} files written, ${deleted} withdrawn. Serve it over HTTPS; modules get its address as update.url.`;
        output.emit({ event: "published", to: flags.to, written, deleted }, text);
        return 0;
      }),
    );
}
