/** Findings of `doctor` and `--check`: one line for each check, with a remedy for each problem, and the exit status. */
import { oneLine } from './one-line.ts'

/** `fail`: the program refuses to start, or cannot do its work. `warn`: it can, but something should be changed. */
export type Verdict = 'ok' | 'warn' | 'fail'

export interface CheckFinding {
  /** What was checked, such as `ports`. */
  check: string
  verdict: Verdict
  /** One sentence. */
  text: string
  /** What to do. Missing if the verdict is `ok`. */
  remedy?: string
}

/** Makes the findings of one check. */
export const findingsAbout = (check: string) => ({
  ok: (text: string): CheckFinding => ({ check, verdict: 'ok', text }),
  warn: (text: string, remedy: string): CheckFinding => ({ check, verdict: 'warn', text, remedy }),
  fail: (text: string, remedy: string): CheckFinding => ({ check, verdict: 'fail', text, remedy }),
})

export const worstOf = (findings: readonly CheckFinding[]): Verdict =>
  (['fail', 'warn'] as const).find((verdict) => findings.some((each) => each.verdict === verdict)) ?? 'ok'

/** For a terminal: verdict, check and text in columns, and the remedy in the line below. */
export function printFindings(findings: readonly CheckFinding[]): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, verdict, text, remedy }) => [
    `${verdict.padEnd(4)}  ${check.padEnd(width)}  ${oneLine(text, 1000)}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 8)}→ ${oneLine(remedy, 1000)}`]),
  ])
  const count = (verdict: Verdict) => findings.filter((each) => each.verdict === verdict).length
  const total = `${findings.length} checks: ${count('fail')} failed, ${count('warn')} warnings`
  return [...lines, total].map((line) => `${line}\n`).join('')
}

/** For programs. */
export const findingsAsJson = (findings: readonly CheckFinding[]): string =>
  `${JSON.stringify({ verdict: worstOf(findings), findings }, undefined, 2)}\n`
