/** The settings of rules: the defaults in packages/api, and what operators changed. */
import {
  alertRule,
  alertRuleNames,
  type AlertRuleName,
  type AlertRuleSettings,
  type AlertRuleView,
} from '@imapfleet/api'
import { ServiceError } from '../../platform/errors.ts'
import type { RuleChangeRow } from './queries.ts'

export interface EffectiveRule {
  isEnabled: boolean
  /** 0 for a rule without one, which does not read it. */
  threshold: number
  holdMs: number
  clearMs: number
}

function effectiveRule(rule: AlertRuleName, change: RuleChangeRow | undefined): EffectiveRule {
  const row = alertRule(rule)
  return {
    isEnabled: change?.enabled ?? true,
    threshold: change?.threshold ?? row.threshold?.default ?? 0,
    holdMs: (change?.holdSeconds ?? row.holdSeconds) * 1000,
    clearMs: (change?.clearSeconds ?? row.clearSeconds) * 1000,
  }
}

/** Of every rule. */
export function effectiveRules(changes: readonly RuleChangeRow[]): ReadonlyMap<AlertRuleName, EffectiveRule> {
  const byRule = new Map(changes.map((change) => [change.rule, change]))
  return new Map(alertRuleNames.map((rule) => [rule, effectiveRule(rule, byRule.get(rule))]))
}

/** Throws request_invalid for a threshold that the rule cannot have. */
export function checkThreshold(rule: AlertRuleName, { threshold }: AlertRuleSettings): void {
  if (threshold === undefined) return
  const bounds = alertRule(rule).threshold
  if (!bounds)
    throw new ServiceError(
      'request_invalid',
      `The rule ${rule} has no threshold: only its hold times can be changed.`,
    )
  if (threshold < bounds.min || threshold > bounds.max)
    throw new ServiceError(
      'request_invalid',
      `The threshold of ${rule} must be ${bounds.min} to ${bounds.max} ${bounds.unit}.`,
    )
}

export function ruleView(rule: AlertRuleName, change: RuleChangeRow | undefined): AlertRuleView {
  const { title, severity, means, action, threshold } = alertRule(rule)
  const effective = effectiveRule(rule, change)
  return {
    name: rule,
    title,
    severity,
    means,
    action,
    enabled: effective.isEnabled,
    threshold: threshold ? effective.threshold : null,
    unit: threshold?.unit ?? null,
    opens: threshold?.opens ?? null,
    holdSeconds: effective.holdMs / 1000,
    clearSeconds: effective.clearMs / 1000,
    isChanged: change !== undefined,
    changedBy: change?.changedBy ?? null,
    changedAt: change?.changedAt.toISOString() ?? null,
  }
}
