const grouped = new Intl.NumberFormat('en-US')

/** `1 client`, `1,200 clients`. */
export const amount = (number: number, noun: string): string =>
  `${grouped.format(number)} ${noun}${number === 1 ? '' : 's'}`
