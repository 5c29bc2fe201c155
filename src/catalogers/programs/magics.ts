/** What files begin with, one character for each byte. */
export const magics: Readonly<Record<'archive' | 'bitcode' | 'elf' | 'machO' | 'pe', readonly string[]>> = {
  /** Of `ar`: static libraries. */
  archive: ['!<arch>\n'],
  /** LLVM bitcode. */
  bitcode: ['BC\xc0\xde'],
  elf: ['\x7fELF'],
  /** 32 and 64 bits in both byte orders, then files of several architectures. */
  machO: [
    ...['\xfe\xed\xfa\xce', '\xfe\xed\xfa\xcf', '\xce\xfa\xed\xfe', '\xcf\xfa\xed\xfe'],
    ...['\xca\xfe\xba\xbe', '\xca\xfe\xba\xbf'],
  ],
  pe: ['MZ'],
};

/** ELF, Mach-O and PE. */
export const programMagics: readonly string[] = [...magics.elf, ...magics.machO, ...magics.pe];
