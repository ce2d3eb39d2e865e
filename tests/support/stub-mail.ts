/** The accounts and mails of the stub server. It keeps appended mail byte by byte, so that a test sees damage. */

export interface StubMail {
  uid: number
  body: Buffer
  flags: Set<string>
}

export class StubAccount {
  secret: string
  readonly boxes = new Map<string, StubMail[]>()
  #uidNext = 1

  constructor(name: string, secret: string) {
    this.secret = secret
    this.boxes.set('INBOX', []).set(`box-of-${name}`, [])
    for (const number of [1, 2, 3]) this.append('INBOX', mailOf(name, number))
  }

  box(name: string): StubMail[] | undefined {
    return this.boxes.get(name.toUpperCase() === 'INBOX' ? 'INBOX' : name)
  }

  append(box: string, body: Buffer): void {
    this.box(box)?.push({ uid: this.#uidNext, body, flags: new Set() })
    this.#uidNext += 1
  }

  get uidNext(): number {
    return this.#uidNext
  }
}

/** A small mail that names its user. */
export function mailOf(name: string, number: number): Buffer {
  return Buffer.from(
    `From: ${name}\r\nSubject: ${number} of ${name}\r\n\r\nThis belongs to ${name}.\r\n`,
    'latin1',
  )
}

/** `1`, `2:*`, `1,3` → the indexes of a sequence set, for `count` mails. */
export function indexesOf(set: string, count: number): number[] {
  const indexes = new Set<number>()
  for (const part of set.split(',')) {
    const [from = 0, to = from] = part.split(':').map((end) => (end === '*' ? count : Number(end)))
    for (let at = Math.min(from, to); at <= Math.max(from, to) && at <= count; at++)
      if (at > 0) indexes.add(at - 1)
  }
  return [...indexes].sort((a, b) => a - b)
}
