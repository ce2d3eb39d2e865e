/** What a keyword of imapproxy.conf can say of itself, and the shapes that most of them share. */
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

/** The whole file, the last value of each keyword: some only mean something together. */
export type Given = Readonly<Partial<Record<Keyword, string>>>

export interface Outcome {
  /** Dotted keys of our schema with their values. */
  set: Readonly<Record<string, JsonValue>>
  /** What differs, what to know, or what to use instead. */
  note?: string
}

export interface Row {
  /** Keys of our schema that it may set; none: its meaning lies elsewhere. */
  keys: readonly string[]
  /** For docs/replacing-imapproxy.md. */
  manual: string
  secret?: true
  interpret(value: string, given: Given): ({ ok: true } & Outcome) | { ok: false; message: string }
  /** What imapproxy does without the keyword, where that is not what our own default says. */
  absent?: Outcome
}

export type Become<T> = (value: T, given: Given) => Outcome

export function row<T>(
  reader: Reader<T>,
  keys: string[],
  manual: string,
  become: Become<T>,
  more: Pick<Row, 'secret' | 'absent'> = {},
): Row {
  return {
    keys,
    manual,
    ...more,
    interpret(value, given) {
      const read = reader(value)
      return read.ok ? { ok: true, ...become(read.value, given) } : read
    },
  }
}

/** The value as it is, under one key or several. */
export function plain<T extends JsonValue>(
  reader: Reader<T>,
  keys: string[],
  manual: string,
  more: Pick<Row, 'secret' | 'absent'> = {},
): Row {
  return row(
    reader,
    keys,
    manual,
    (value) => ({ set: Object.fromEntries(keys.map((key) => [key, value])) }),
    more,
  )
}

/** Nothing here: the note says who carries the meaning. */
export function elsewhere<T>(reader: Reader<T>, manual: string, note: (value: T) => string): Row {
  return row(reader, [], manual, (value) => ({ set: {}, note: note(value) }))
}
