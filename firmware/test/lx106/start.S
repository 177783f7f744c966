// Where the simulated lx106 begins, and where its exceptions end. The emulator carries out simcalls: call number in a2, arguments from a3 on,
// as the call0 ABI hands them over.
  .section .vectors, "ax"
  j _start          // reset
  .org 0x30
  j unexpected      // kernel exception
  .org 0x50
  j unexpected      // user exception: an unaligned load, an illegal instruction
  .org 0x70
  j unexpected      // double exception

  .section .start, "ax"
  .literal_position
  .align 4
  .global _start
_start:
  movi a2, vectors
  wsr a2, vecbase
  movi a1, stack_top
  call0 machineStart

  .align 4
unexpected:
  rsr a2, exccause
  rsr a3, epc1
  rsr a4, excvaddr
  movi a1, stack_top
  call0 machineFailed

  .align 4
  .global simcall
simcall:
  simcall
  ret
