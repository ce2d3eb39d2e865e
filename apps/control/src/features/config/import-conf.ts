/** Translates an imapproxy.conf into the keys of a layer. Nothing is written. */
import { detectFormat, layerFromImapproxyConf } from '@imapfleet/config'
import type { ConfReport } from '@imapfleet/api'
import { ServiceError } from '../../platform/errors.ts'

export function importConf(text: string): ConfReport {
  if (detectFormat(text) !== 'imapproxy-conf')
    throw new ServiceError(
      'config_invalid',
      'This is not an imapproxy.conf: each line must be a keyword, a blank and a value.',
    )
  const read = layerFromImapproxyConf(text)
  if (read.ok) return { set: read.set, report: read.report, kept: read.kept }
  const problems = read.problems.map(({ key, message, line }) => ({
    key,
    message: line === undefined ? message : `${message} (line ${line})`,
  }))
  const [first] = problems
  throw new ServiceError('config_invalid', `${first?.key ?? ''} ${first?.message ?? ''}`.trim(), { problems })
}
