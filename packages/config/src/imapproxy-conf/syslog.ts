/** Translates the syslog facilities and priorities in imapproxy.conf to those of systemd and of the log. */

/** `LOG_MAIL` to `mail`, for SyslogFacility=. LOG_KERN is reserved for the kernel. */
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
/** `LOG_ERR` to the level of our log, and the level for LogLevelMax=. */
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
