/** An imapproxy.conf as a layer of the fleet, without the keys that only the file of an edge can set. */
import { flattenLayer, withoutHostKeys, type JsonValue } from '../layer.ts'
import type { Problem } from '../problem.ts'
import { importImapproxyConf, type ReportRow } from './import.ts'

export type ConfLayer =
  | {
      ok: true
      /** Dotted keys with their values. */
      set: Record<string, JsonValue>
      report: ReportRow[]
      /** Dotted keys that were left out, because the fleet cannot set them. */
      kept: string[]
    }
  | { ok: false; problems: Problem[] }

export function layerFromImapproxyConf(text: string): ConfLayer {
  const imported = importImapproxyConf(text)
  if (!imported.ok) return imported
  const { layer, ignored } = withoutHostKeys(imported.document)
  return {
    ok: true,
    set: Object.fromEntries(flattenLayer(layer)),
    report: imported.report,
    kept: ignored,
  }
}
