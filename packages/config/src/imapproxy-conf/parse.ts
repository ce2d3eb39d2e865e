/**
 * The text of an imapproxy.conf to keywords and values with their lines. More forgiving than imapproxy itself, which
 * stops at a tab, an indented comment or a line of blanks; where it reads on, this reads the same.
 */
import type { Problem } from '../problem.ts'

export interface Entry {
  /** In lower case, as imapproxy compares it. */
  keyword: string
  value: string
  /** From 1. */
  line: number
}

export function parseImapproxyConf(text: string): { entries: Entry[]; problems: Problem[] } {
  const entries: Entry[] = []
  const problems: Problem[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = index + 1
    const words = raw.replace(/(^|\s)#.*$/, '').trim()
    if (words === '') continue
    const [first = ''] = words.split(/\s/, 1)
    const keyword = first.toLowerCase()
    const value = words.slice(first.length).trim()
    const mistake = mistakeIn(keyword, value)
    if (mistake) problems.push({ ...mistake, line })
    else entries.push({ keyword, value, line })
  }
  return { entries, problems }
}

function mistakeIn(keyword: string, value: string): Problem | undefined {
  if (!/^[\x20-\x7e\u00a0-\uffff\t]*$/u.test(keyword + value))
    return { key: '', message: 'holds a control character; is this an imapproxy.conf?' }
  const [name, given] = keyword.split('=', 2)
  if (given !== undefined || value.startsWith('='))
    return { key: name!, message: 'is written with =; write a blank between keyword and value' }
  if (value === '') return { key: keyword, message: 'has no value; write one, or # before the line' }
  return undefined
}
