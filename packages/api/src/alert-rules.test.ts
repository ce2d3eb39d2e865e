import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readYaml } from '@imapfleet/config'
import { z } from 'zod'
import { alertRule, alertRuleNames, prometheusOnly } from './alert-rules.ts'

const fileSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string().default('0m'),
          labels: z.object({ severity: z.string() }),
        }),
      ),
    }),
  ),
})
const yaml = readYaml(readFileSync(`${import.meta.dirname}/../../../infra/prometheus/alerts.yml`, 'utf8'))
assert.ok(yaml.ok)
const inPrometheus = fileSchema.parse(yaml.data).groups.flatMap(({ rules }) => rules)

const secondsOf = (text: string): number => {
  const [, amount, unit] = /^(\d+)([mh])$/.exec(text) ?? []
  return Number(amount) * (unit === 'h' ? 3_600 : 60)
}

test('control and Prometheus have the same rules, with the same severities and hold times', () => {
  const ours = alertRuleNames.map((name) => {
    const { prometheus, severity, holdSeconds } = alertRule(name)
    return { name: prometheus, severity, holdSeconds }
  })
  const theirs = inPrometheus
    .filter(({ alert }) => !Object.hasOwn(prometheusOnly, alert))
    .map((rule) => ({ name: rule.alert, severity: rule.labels.severity, holdSeconds: secondsOf(rule.for) }))
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  assert.deepEqual(ours.toSorted(byName), theirs.toSorted(byName))
})

test('Prometheus has the rules that only Prometheus can evaluate', () => {
  const names = new Set(inPrometheus.map(({ alert }) => alert))
  for (const name of Object.keys(prometheusOnly)) assert.ok(names.has(name), name)
  const exprOf = (name: string) => inPrometheus.find(({ alert }) => alert === name)?.expr ?? ''
  for (const [name, job] of [
    ['ImapfleetControlDown', 'imapfleet-control'],
    ['ImapfleetFleetUnknown', 'imapfleet-fleet'],
  ] as const) {
    assert.match(exprOf(name), new RegExp(`\\bup\\{job="${job}"\\} == 0`))
    assert.match(exprOf(name), new RegExp(`\\babsent\\(up\\{job="${job}"\\}\\)`))
  }
})

test('a default threshold is within its bounds', () => {
  for (const name of alertRuleNames) {
    const { threshold } = alertRule(name)
    if (threshold) assert.ok(threshold.default >= threshold.min && threshold.default <= threshold.max, name)
  }
})
