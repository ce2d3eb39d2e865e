/** The text of a configuration file in either format: YAML, or an imapproxy.conf. */
import { importImapproxyConf, type ReportRow } from './imapproxy-conf/import.ts'
import type { Layer } from './layer.ts'
import type { Problem } from './problem.ts'
import { resolveYaml } from './resolve.ts'
import type { EdgeConfig } from './schema.ts'

export type ConfigFormat = 'yaml' | 'imapproxy-conf'

export type ResolvedFile =
  | {
      ok: true
      format: ConfigFormat
      config: EdgeConfig
      /** What the file says, without defaults. */
      document: Layer
      /** What each keyword of an imapproxy.conf became; empty for YAML. */
      report: ReportRow[]
    }
  | { ok: false; format: ConfigFormat; problems: Problem[] }

export function resolveFile(text: string): ResolvedFile {
  const format = detectFormat(text)
  if (format === 'imapproxy-conf') return { ...importImapproxyConf(text), format }
  const resolved = resolveYaml(text)
  return resolved.ok ? { ...resolved, format, report: [] } : { ...resolved, format }
}

/** The majority of lines decides: `key: value` is YAML, `keyword value` is imapproxy.conf. YAML if there are none. */
export function detectFormat(text: string): ConfigFormat {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim())
  const yaml = lines.filter((line) => /^([\w.'"-]+\s*:(\s|$)|[-{}[\]]|---)/.test(line)).length
  const conf = lines.filter(
    (line) => /^[a-z][\w.]*[ \t]+\S/i.test(line) && !/^[\w.-]+\s*:(\s|$)/.test(line),
  ).length
  return conf > yaml ? 'imapproxy-conf' : 'yaml'
}
