/* The memory of the engine as engine/snapshot.mjs found it after its start. */
.section .rodata.engine_snapshot, "a", @progbits
.globl engine_snapshot
.balign 16
engine_snapshot:
.incbin "build/engine/snapshot.bin"

.section .note.GNU-stack, "", @progbits
