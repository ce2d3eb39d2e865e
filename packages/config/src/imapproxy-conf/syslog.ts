/** Names of syslog as imapproxy.conf writes them, to those of our log and of systemd. */

/** `LOG_MAIL` → `mail`, for SyslogFacility=. LOG_KERN is not for programs. */
export const facilities = Object.fromEntries(
  [
    'AUTH',
    'CRON',
    'DAEMON',
    'LPR',
    'MAIL',
    'NEWS',
    'SYSLOG',
    'USER',
    'UUCP',
    ...Array.from({ length: 8 }, (_, n) => `LOCAL${n}`),
  ].map((name) => [`LOG_${name}`, name.toLowerCase()]),
)
/** `LOG_ERR` → the level of our log, and the one for LogLevelMax=. */
export const priorities = {
  LOG_EMERG: ['error', 'emerg'],
  LOG_ALERT: ['error', 'alert'],
  LOG_CRIT: ['error', 'crit'],
  LOG_ERR: ['error', 'err'],
  LOG_WARNING: ['warn', 'warning'],
  LOG_NOTICE: ['info', 'notice'],
  LOG_INFO: ['info', 'info'],
  LOG_DEBUG: ['debug', 'debug'],
} as const
