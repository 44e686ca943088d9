// The port of src/ports/flash.ts on the chip: one partition, read in place. Calls return when the work is done; an erasure takes
// 45 to 300 ms, during which only the line's interrupt handler runs. Who calls it chooses a quiet moment (src/journal/recorder.ts).
/* global Native, native */

class UcmFlash extends Native("xs_ucm_flash_destructor") {
  constructor({ partition }) {
    super();
    this.sectorBytes = 4096;
    this.sectors = this.nativeOpen(partition);
  }
  // prettier-ignore
  nativeOpen(partition) { return native("xs_ucm_flash").call(this, partition); }
  // prettier-ignore
  read(at, into) { return native("xs_ucm_flash_read").call(this, at, into); }
  // prettier-ignore
  program(at, bytes) { return native("xs_ucm_flash_program").call(this, at, bytes); }
  // prettier-ignore
  erase(sector) { return native("xs_ucm_flash_erase").call(this, sector); }
  // prettier-ignore
  close() { return native("xs_ucm_flash_close").call(this); }
}

export default UcmFlash;
