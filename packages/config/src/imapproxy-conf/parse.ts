/**
 * Parses the text of an imapproxy.conf into keywords and values with line numbers. Every line that imapproxy accepts is
 * read as imapproxy reads it. Tabs, indented comments and blank lines, at which imapproxy exits, are accepted as well.
 */
import type { Problem } from '../problem.ts'

export interface ConfLine {
  /** In lower case: imapproxy does not distinguish upper and lower case. */
  keyword: string
  value: string
  /** From 1. */
  line: number
}

export function parseImapproxyConf(text: string): { entries: ConfLine[]; problems: Problem[] } {
  const entries: ConfLine[] = []
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
    return { key: '', message: 'the line contains a control character; is this an imapproxy.conf?' }
  const [name, given] = keyword.split('=', 2)
  if (given !== undefined || value.startsWith('='))
    return { key: name!, message: 'must be separated from its value by a space, not by =' }
  if (value === '') return { key: keyword, message: 'has no value; add one, or put # before the line' }
  return undefined
}
