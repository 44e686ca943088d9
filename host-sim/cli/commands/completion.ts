import { Argument, type Command } from "commander";
import { profileNames } from "../../sgd/profile.js";
import { shippedNames } from "../../scenario/files.js";
import type { Run } from "../run.js";

interface Word {
  /** The command's words after `openucm`, joined by blanks. */
  readonly path: string;
  readonly words: readonly string[];
}

/** What may follow `openucm` and each of its commands. */
function words(command: Command, path: readonly string[]): Word[] {
  const below = command.commands.filter((one) => one.name() !== "help");
  const options = command.options.filter((option) => !option.hidden).map((option) => option.long ?? "");
  const own = { path: path.join(" "), words: [...below.map((one) => one.name()), ...options, "--help"] };
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

/** Bash: also read by zsh through bashcompinit. */
function bash(list: readonly Word[]): string {
  const known = values();
  const cases = list
    .map(({ path, words: own }) => `    "${path}") words="${[...own, ...(known[path] ?? [])].join(" ")}" ;;`)
    .join("\n");
  const previous = Object.entries(known)
    .filter(([name]) => name.startsWith("--"))
    .map(([name, all]) => `    ${name}) COMPREPLY=($(compgen -W "${all.join(" ")}" -- "$cur")); return ;;`)
    .join("\n");
  return `# Completion of openucm for bash. Load it with:  source <(openucm completion bash)
_openucm() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" word
  case "$prev" in
${previous}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${list.map(({ path }) => `|${path}|`).join(" ")} " in *"|\${path:+$path }$word|"*) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _openucm openucm
`;
}

function fish(list: readonly Word[]): string {
  const known = values();
  const lines = ["# Completion of openucm for fish. Load it with:  openucm completion fish | source"];
  for (const { path, words: own } of list) {
    const seen =
      path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1)!}`;
    for (const word of own) {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      const given =
        known[word] === undefined || !word.startsWith("--") ? "" : ` -x -a "${known[word]!.join(" ")}"`;
      lines.push(`complete -c openucm -n "${seen}" ${what}${given}`);
    }
    if (known[path] !== undefined)
      lines.push(`complete -c openucm -n "${seen}" -a "${known[path]!.join(" ")}"`);
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
  openucm completion zsh >> ~/.zshrc
  openucm completion fish > ~/.config/fish/completions/openucm.fish`,
    )
    .action((shell: string) =>
      run(async () => {
        const list = words(await whole(), []);
        const head = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n";
        process.stdout.write(
          shell === "fish" ? fish(list) : shell === "zsh" ? head + bash(list) : bash(list),
        );
        return 0;
      }),
    );
}
