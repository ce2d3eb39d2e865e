/** The keyword table in docs/replacing-imapproxy.md. */
import { keywordNames, keywords, type KeywordRow } from '@imapfleet/config/imapproxy-conf'
import { markdownTable, type Manual } from './region.ts'

export const imapproxyKeywords: Manual = {
  file: 'docs/replacing-imapproxy.md',
  region: 'keywords',
  text: () =>
    markdownTable(
      ['Keyword', 'Becomes', 'What to know'],
      keywordNames.map((name) => {
        const { keys, manual }: KeywordRow = keywords[name]
        return [`\`${name}\``, keys.map((key) => `\`${key}\``).join(', ') || '(no key)', manual]
      }),
    ),
}
