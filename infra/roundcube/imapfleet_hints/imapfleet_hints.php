<?php

/**
 * Tells imapfleet which page Roundcube makes, in the ID of the IMAP connection, so that the questions of the page can be
 * asked ahead. Everything works without it. Other servers ignore these fields; imapfleet does not pass them on.
 */
class imapfleet_hints extends rcube_plugin
{
    /** Field of the ID => parameter of the request. */
    private const PARAMETERS = [
        'x-page-mailbox' => '_mbox',
        'x-page-uid' => '_uid',
        'x-page-search' => '_q',
        'x-page-number' => '_page',
    ];

    public function init()
    {
        $this->add_hook('storage_connect', [$this, 'identify']);
    }

    public function identify($arguments)
    {
        $action = (string) rcmail::get_instance()->action;
        $ident = ['x-page' => $action === '' ? 'start' : $action];
        foreach (self::PARAMETERS as $field => $parameter) {
            $value = $_POST[$parameter] ?? $_GET[$parameter] ?? null;
            // Plain characters only: others would need a literal, which costs a round trip.
            if (is_string($value) && preg_match('/^[\x20-\x7e]{1,200}$/', $value)) {
                $ident[$field] = $value;
            }
        }
        // Before the login, so that the edge can ask questions while the login waits. Roundcube 1.4 sends it only after the login.
        $when = version_compare(RCMAIL_VERSION, '1.5', '>=') ? 'preauth_ident' : 'ident';
        $arguments[$when] = $ident + (array) ($arguments[$when] ?? []);

        return $arguments;
    }
}
