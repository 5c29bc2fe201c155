/** Bytes of a TUF target: a trusted root of the public instance has 9 KiB; a private one with its own history some hundred. */
export const maxTarget: number = 8 * 1024 * 1024;
