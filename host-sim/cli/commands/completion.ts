import { Argument, type Command } from "commander";
import { profileNames } from "../../sgd/profile.js";
import { shippedNames } from "../../scenario/files.js";
import type { Run } from "../run.js";

interface Word {
  /** The command's words after `openucm`, joined by blanks. */
  readonly path: string;
  readonly commands: readonly string[];
  /** With their dashes. */
  readonly options: readonly { readonly name: string; readonly takesValue: boolean }[];
}

/** What may follow `openucm` and each of its commands. */
function words(command: Command, path: readonly string[]): Word[] {
  const below = command.commands.filter((one) => one.name() !== "help");
  const options = command.options
    .filter((option) => !option.hidden)
    .map((option) => ({ name: option.long ?? "", takesValue: option.required || option.optional }));
  const own = {
    path: path.join(" "),
    commands: below.map((one) => one.name()),
    options: [...options, { name: "--help", takesValue: false }],
  };
  return [own, ...below.flatMap((one) => words(one, [...path, one.name()]))];
}

/** Values of options, where they are known beforehand, and of a command's arguments (by its words). */
function values(): Readonly<Record<string, readonly string[]>> {
  return {
    "--runtime": ["node", "xs", "qemu"],
    "--region": ["us", "au", "uk"],
    "--role": ["ucm", "sgd"],
    "--serial": ["pty", "tcp://", "tcp-listen://"],
    "--profile": profileNames(),
    "scenario run": shippedNames(),
    "scenario check": shippedNames(),
    completion: ["bash", "zsh", "fish"],
  };
}

/** Beside the known values a file fits. */
const takesFile: ReadonlySet<string> = new Set(["--serial", "--profile", "scenario run", "scenario check"]);

/** All that may follow a command: commands, options, known arguments. */
function offered({ path, commands, options }: Word): string {
  return [...commands, ...options.map(({ name }) => name), ...(values()[path] ?? [])].join(" ");
}

/** Options after which a value comes of which nothing is known: the shell offers files. */
function withAnyValue(list: readonly Word[]): string {
  const known = values();
  const all = list.flatMap(({ options }) => options);
  const plain = new Set(all.filter(({ takesValue }) => !takesValue).map(({ name }) => name));
  const names = all
    .filter(({ name, takesValue }) => takesValue && known[name] === undefined && !plain.has(name))
    .map(({ name }) => name);
  return [...new Set(names)].join("|");
}

/** Options whose values are known, each as a branch of a `case` of bash and zsh in which `offer` says the shell's own word. */
function knownValues(offer: (all: string, withFiles: boolean) => string): string {
  return Object.entries(values())
    .filter(([name]) => name.startsWith("--"))
    .map(([name, all]) => `    ${name}) ${offer(all.join(" "), takesFile.has(name))}; return ;;`)
    .join("\n");
}

/** A command's words, quoted for a `case` of bash and zsh. */
function paths(list: readonly Word[]): string {
  return list
    .filter(({ path }) => path !== "")
    .map(({ path }) => `"${path}"`)
    .join("|");
}

function bash(list: readonly Word[]): string {
  const cases = list.map((word) => `    "${word.path}") offered="${offered(word)}" ;;`).join("\n");
  const previous = knownValues(
    (all, withFiles) => `COMPREPLY=($(compgen -W "${all}"${withFiles ? " -f" : ""} -- "$cur"))`,
  );
  return `# Completion of openucm for bash. Load it with:  source <(openucm completion bash)
_openucm() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at="" offered="" word
  COMPREPLY=()
  case "$prev" in
${previous}
    ${withAnyValue(list)}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${at:+$at }$word" in ${paths(list)}) at="\${at:+$at }$word" ;; esac
  done
  case "$at" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$offered" -- "$cur"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _openucm openucm
`;
}

/** Not through bashcompinit: zsh does not take bash's slices of COMP_WORDS, and `path` is its PATH. */
function zsh(list: readonly Word[]): string {
  const cases = list.map((word) => `    "${word.path}") offered=(${offered(word)}) ;;`).join("\n");
  const previous = knownValues((all, withFiles) => `compadd -- ${all}${withFiles ? " || _files" : ""}`);
  return `#compdef openucm
# Completion of openucm for zsh. Load it with:  source <(openucm completion zsh)
# or keep it as the file _openucm in a folder of $fpath.
_openucm() {
  local prev="\${words[CURRENT-1]}" at="" word
  local -a offered
  case "$prev" in
${previous}
    ${withAnyValue(list)}) _files; return ;;
  esac
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in ${paths(list)}) at="\${at:+$at }$word" ;; esac
  done
  case "$at" in
${cases}
  esac
  compadd -- $offered || _files
}
if [[ "\${funcstack[1]}" = _openucm ]]; then
  _openucm "$@"
else
  (( $+functions[compdef] )) || { autoload -U compinit && compinit }
  compdef _openucm openucm
fi
`;
}

function fish(list: readonly Word[]): string {
  const known = values();
  const lines = [
    "# Completion of openucm for fish. Load it with:  openucm completion fish | source",
    "function __openucm_at",
    "  set -l at",
    "  for word in (commandline -opc)[2..-1]",
    '    set -l next (string trim -- "$at $word")',
    `    contains -- $next ${paths(list).replaceAll("|", " ")}; and set at $next`,
    "  end",
    `  test "$at" = "$argv[1]"`,
    "end",
  ];
  for (const { path, commands, options } of list) {
    const at = `complete -c openucm -n "__openucm_at '${path}'"`;
    for (const name of commands) lines.push(`${at} -f -a ${name}`);
    for (const { name, takesValue } of options) {
      const given = known[name];
      const value = !takesValue
        ? ""
        : given === undefined
          ? " -r"
          : ` ${takesFile.has(name) ? "-r" : "-x"} -a "${given.join(" ")}"`;
      lines.push(`${at} -l ${name.slice(2)}${value}`);
    }
    if (known[path] !== undefined)
      lines.push(`${at}${takesFile.has(path) ? "" : " -f"} -a "${known[path].join(" ")}"`);
  }
  return `${lines.join("\n")}\n`;
}

/** `whole` makes the program with all its commands. */
export function addCompletion(program: Command, run: Run, whole: () => Promise<Command>): void {
  program
    .command("completion")
    .description("print the completion of commands, options and names for a shell")
    .addArgument(new Argument("<shell>", "whose").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  openucm completion bash > ~/.local/share/bash-completion/completions/openucm
  echo 'source <(openucm completion zsh)' >> ~/.zshrc
  openucm completion fish > ~/.config/fish/completions/openucm.fish`,
    )
    .action((shell: string) =>
      run(async () => {
        const list = words(await whole(), []);
        process.stdout.write(shell === "fish" ? fish(list) : shell === "zsh" ? zsh(list) : bash(list));
        return 0;
      }),
    );
}
