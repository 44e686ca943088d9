/** Who may read what of the journal (requirements 1.4 X-04: agent, comms manager, owner). */
export type Role = "agent" | "manager" | "owner";
export type JournalPart = "security" | "events" | "sessions" | "energy";

const READERS: Readonly<Record<JournalPart, readonly Role[]>> = {
  security: ["agent", "owner"],
  events: ["agent", "manager", "owner"],
  // How somebody lives can be read from his charging.
  sessions: ["owner"],
  energy: ["owner"],
};

/** `consent`: the owner lets the agent see charging data. */
export function mayRead(role: Role, part: JournalPart, consent: boolean): boolean {
  return READERS[part].includes(role) || (role === "agent" && consent);
}
