/** An imapproxy.conf as a layer of the fleet: what the fleet may set of it, and what stays in the file of each host. */
import { leavesOf, type JsonValue, type Layer } from '../layer.ts'
import type { Problem } from '../problem.ts'
import { steerableSections } from '../schema.ts'
import { importImapproxyConf, type ReportRow } from './import.ts'

export type LayerOfConf =
  | {
      ok: true
      /** Dotted key → value. */
      set: Record<string, JsonValue>
      report: ReportRow[]
      /** Keys that the fleet does not set. */
      kept: string[]
    }
  | { ok: false; problems: Problem[] }

export function layerOfConf(text: string): LayerOfConf {
  const imported = importImapproxyConf(text)
  if (!imported.ok) return imported
  const steered: readonly string[] = steerableSections
  const part = (isSteered: boolean): Layer =>
    Object.fromEntries(
      Object.entries(imported.document).filter(([section]) => steered.includes(section) === isSteered),
    )
  return {
    ok: true,
    set: Object.fromEntries(leavesOf(part(true))),
    report: imported.report,
    kept: leavesOf(part(false)).map(([key]) => key),
  }
}
