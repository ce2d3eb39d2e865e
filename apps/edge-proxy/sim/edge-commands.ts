/** What an edge may send to a server on its own account, as a server sees it. */

/** Tags of commands that an edge sends itself. Those of a reset begin with R. */
export const isEdgeTag = (tag: string): boolean => /^(?:[RE][0-9a-f]{24}|i\d+)$/.test(tag)
export const isResetTag = (tag: string): boolean => /^R[0-9a-f]{24}$/.test(tag)

const own =
  /^(?:NOOP|LIST "" ""|UNSELECT|EXAMINE INBOX|CLOSE|CAPABILITY|LOGOUT|STARTTLS|ID .*|LOGIN [^]*|AUTHENTICATE .*)$/
/** Commands that change nothing, so that they may be asked ahead of a client. SELECT is one of them with UNSELECT only. */
const question =
  /^(?:STATUS|SELECT|EXAMINE|LIST|LSUB|NAMESPACE|(?:UID )?(?:SEARCH|FETCH|SORT|THREAD)|GETQUOTAROOT)\b/

/** @param text without its tag and line end */
export const isEdgeCommand = (text: string): boolean => own.test(text)

/** Whether it may be asked ahead. A FETCH of a body without PEEK sets \Seen (RFC 9051 6.4.5). */
export const isQuestion = (text: string): boolean =>
  question.test(text) && !/\b(?:BODY|BINARY)\[|RFC822(?!\.SIZE|\.HEADER)/.test(text)

/** Whether it may be asked while it is not proven that nothing is selected: it depends on no mailbox that is. */
export const isQuestionAnywhere = (text: string): boolean =>
  /^(?:STATUS|LIST|LSUB|NAMESPACE|GETQUOTAROOT)\b/.test(text)

/** Whether it enables CONDSTORE (RFC 7162 3.1). */
export const enablesCondstore = (text: string): boolean =>
  /\b(?:HIGHESTMODSEQ|MODSEQ|CHANGEDSINCE|CONDSTORE)\b/.test(text)
