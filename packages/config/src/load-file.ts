/** A configuration file of either kind: our own YAML, or an imapproxy.conf as it is. */
import { importImapproxyConf, type ReportRow } from './imapproxy-conf/import.ts'
import type { Layer } from './layer.ts'
import { loadConfig } from './load.ts'
import type { Problem } from './problem.ts'
import type { EdgeConfig } from './schema.ts'

export type Format = 'yaml' | 'imapproxy-conf'

export type LoadedFile =
  | {
      ok: true
      format: Format
      config: EdgeConfig
      document: Layer
      /** What each keyword became; empty for YAML. */ report: ReportRow[]
    }
  | { ok: false; format: Format; problems: Problem[] }

export function loadConfigFile(text: string): LoadedFile {
  const format = detectFormat(text)
  if (format === 'yaml') {
    const loaded = loadConfig(text)
    return loaded.ok ? { ...loaded, format, report: [] } : { ...loaded, format }
  }
  return { ...importImapproxyConf(text), format }
}

/** By the shape of most lines: `keyword value` against `key: value`. A file without lines is YAML. */
export function detectFormat(text: string): Format {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim())
  const yaml = lines.filter((line) => /^([\w.'"-]+\s*:(\s|$)|[-{}[\]]|---)/.test(line)).length
  const conf = lines.filter(
    (line) => /^[a-z][\w.]*[ \t]+\S/i.test(line) && !/^[\w.-]+\s*:(\s|$)/.test(line),
  ).length
  return conf > yaml ? 'imapproxy-conf' : 'yaml'
}
