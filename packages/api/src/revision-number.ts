/** Whether a part of an address is the number of a revision, as control writes it. */
export const isRevision = (text: string): boolean => /^(0|[1-9]\d{0,9})$/.test(text)
