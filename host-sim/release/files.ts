import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { writeWhole } from "../runtime/write-whole.js";

/** A folder of files, as a repository needs it; paths have forward slashes. */
export interface Files {
  read(path: string): Buffer | undefined;
  write(path: string, bytes: Buffer): void;
  delete(path: string): void;
  /** All paths, sorted. */
  list(): string[];
}

/** A folder on disk. A file is whole or absent, and is on the disk when `write` returns: what follows may name it. */
export class FolderFiles implements Files {
  constructor(readonly folder: string) {}

  read(path: string): Buffer | undefined {
    try {
      return readFileSync(join(this.folder, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  write(path: string, bytes: Buffer): void {
    writeWhole(join(this.folder, path), bytes);
  }

  delete(path: string): void {
    rmSync(join(this.folder, path), { force: true });
  }

  list(): string[] {
    try {
      return readdirSync(this.folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith(".new"))
        .map((entry) => relative(this.folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }
}

/** Files in RAM, for tests. */
export class MemoryFiles implements Files {
  readonly all: Map<string, Buffer>;

  constructor(from?: Files) {
    this.all = new Map(from?.list().map((path) => [path, Buffer.from(from.read(path)!)]));
  }

  read(path: string): Buffer | undefined {
    return this.all.get(path);
  }

  write(path: string, bytes: Buffer): void {
    this.all.set(path, bytes);
  }

  delete(path: string): void {
    this.all.delete(path);
  }

  list(): string[] {
    return [...this.all.keys()].sort();
  }
}
