/** Who is due next: a binary heap, because ten thousand pairs cannot each be asked at every step. */
export class Agenda {
  /** Heap of (time, index); an entry whose time is no longer that of `#due` is out of date and skipped. */
  readonly #heap: { readonly atMs: number; readonly index: number }[] = [];
  readonly #due: number[];

  constructor(count: number) {
    this.#due = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
  }

  /** When the first is due; Infinity for nobody. */
  nextMs(): number {
    this.#dropStale();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  set(index: number, atMs: number): void {
    if (this.#due[index] === atMs) return;
    this.#due[index] = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const heap = this.#heap;
    heap.push({ atMs, index });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (heap[parent]!.atMs <= heap[child]!.atMs) break;
      [heap[parent], heap[child]] = [heap[child]!, heap[parent]!];
      child = parent;
    }
  }

  /** Takes somebody who is due at `nowMs`, or undefined. */
  take(nowMs: number): number | undefined {
    this.#dropStale();
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.#pop();
    this.#due[first.index] = Number.POSITIVE_INFINITY;
    return first.index;
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first && this.#due[first.index] !== first.atMs; first = this.#heap[0])
      this.#pop();
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && heap[child]!.atMs < heap[least]!.atMs) least = child;
      }
      if (least === parent) return;
      [heap[parent], heap[least]] = [heap[least]!, heap[parent]!];
      parent = least;
    }
  }
}
