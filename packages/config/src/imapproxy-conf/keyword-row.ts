/** A row in the table of keywords: how its value is read and what it sets. Three functions build the usual rows. */
import type { JsonValue } from '../layer.ts'
import type { Reader } from './readers.ts'

export const keywordNames = [
  'server_hostname',
  'server_port',
  'connect_retries',
  'connect_delay',
  'dns_rr',
  'ipversion_only',
  'preauth_command',
  'cache_size',
  'cache_expiration_time',
  'enable_select_cache',
  'listen_address',
  'listen_port',
  'send_tcp_keepalives',
  'enable_admin_commands',
  'force_tls',
  'tls_verify_server',
  'tls_ca_file',
  'tls_ca_path',
  'tls_cert_file',
  'tls_key_file',
  'tls_ciphers',
  'tls_no_tlsv1',
  'tls_no_tlsv1.1',
  'tls_no_tlsv1.2',
  'auth_sasl_plain_username',
  'auth_sasl_plain_password',
  'auth_shared_secret',
  'protocol_log_filename',
  'stat_filename',
  'syslog_facility',
  'syslog_prioritymask',
  'proc_username',
  'proc_groupname',
  'chroot_directory',
  'foreground_mode',
] as const
export type Keyword = (typeof keywordNames)[number]

/** The last value of each keyword in the file, because some keywords have an effect only together. */
export type GivenValues = Readonly<Partial<Record<Keyword, string>>>

export interface Translation {
  /** Dotted keys of our schema with their values. */
  set: Readonly<Record<string, JsonValue>>
  /** For the report: what differs from imapproxy, or what to use instead. Continues the row after an arrow. */
  note?: string
}

export interface KeywordRow {
  /** Every key of our schema that it may set; empty if it sets none. */
  keys: readonly string[]
  /** Help text for the table in docs/replacing-imapproxy.md. Markdown. */
  manual: string
  secret?: true
  translate(value: string, given: GivenValues): ({ ok: true } & Translation) | { ok: false; message: string }
  /** What applies if the keyword is absent and the default of imapproxy differs from ours. */
  absent?: Translation
}

export type Translate<T> = (value: T, given: GivenValues) => Translation

/** A keyword whose value is converted. */
export function converted<T>(
  reader: Reader<T>,
  keys: string[],
  manual: string,
  translate: Translate<T>,
  more: Pick<KeywordRow, 'secret' | 'absent'> = {},
): KeywordRow {
  return {
    keys,
    manual,
    ...more,
    translate(value, given) {
      const read = reader(value)
      return read.ok ? { ok: true, ...translate(read.value, given) } : read
    },
  }
}

/** A keyword whose value is used unchanged, under one key or several. */
export function copied<T extends JsonValue>(
  reader: Reader<T>,
  keys: string[],
  manual: string,
  more: Pick<KeywordRow, 'secret' | 'absent'> = {},
): KeywordRow {
  return converted(
    reader,
    keys,
    manual,
    (value) => ({ set: Object.fromEntries(keys.map((key) => [key, value])) }),
    more,
  )
}

/** A keyword that sets no key. The note says what to use instead. */
export function withoutKey<T>(reader: Reader<T>, manual: string, note: (value: T) => string): KeywordRow {
  return converted(reader, [], manual, (value) => ({ set: {}, note: note(value) }))
}
