<?php
// What an exception of the database says, without the values that it quotes: they may be passwords or a person's data,
// and what a
// migration prints is in the log of a pipeline for ever.

// A trace shows the first characters of every argument.
ini_set('zend.exception_ignore_args', '1');

/** Errors of MariaDB and MySQL that quote names of the schema alone. */
const DRYDOCK_NAMES_ONLY = [
    1005, 1007, 1008, 1044, 1045, 1046, 1048, 1049, 1050, 1051, 1052, 1054, 1059, 1060, 1061, 1067, 1068, 1069, 1070,
        1071, 1072, 1075, 1091,
    1109, 1118, 1136, 1142, 1143, 1146, 1176, 1205, 1206, 1213, 1215, 1216, 1217, 1227, 1264, 1265, 1305, 1364, 1406,
        1419, 1451, 1452, 1553,
    1822, 1824, 1825, 1826, 1828, 1829, 1830, 1832, 1833, 1834, 1901, 2002, 2006, 2013, 3780, 3819, 4025,
];

/** The exception with all that led to it, changed: what of it comes from the database says no value any more. */
function drydock_masked(Throwable $error): Throwable
{
    $chain = [];
    for ($one = $error; $one !== null; $one = $one->getPrevious()) {
        array_unshift($chain, $one);
    }
    $message = new ReflectionProperty(Exception::class, 'message');
    $said = [];
    foreach ($chain as $one) {
        $raw = $one->getMessage();
        if ($one instanceof Illuminate\Database\QueryException) {
            $why = $one->getPrevious()?->getMessage() ?? '';
            $masked = sprintf('%s (Connection: %s, SQL: %s)', $why, $one->getConnectionName(),
                drydock_beginning($one->getSql()));
        } elseif ($one instanceof PDOException) {
            $masked = drydock_driver_message($raw, (int) ($one->errorInfo[1] ?? 0));
        } elseif ($one instanceof Exception && $raw !== '') {
            // Who passes it on may repeat it.
            $masked = strtr($raw, $said);
        } else {
            continue;
        }
        $said += $raw === '' ? [] : [$raw => $masked];
        $message->setValue($one, $masked);
    }
    return $error;
}

/** The server's words for one of its errors; 0: the number is not known. */
function drydock_driver_message(string $message, int $number): string
{
    if ($number === 0 && preg_match('/^SQLSTATE\[\w+\](?: \[(\d+)\]|:.*?: (\d+) )/s', $message, $found)) {
        $number = (int) ($found[1] ?: $found[2]);
    }
    if (in_array($number, DRYDOCK_NAMES_ONLY, true)) {
        return $message;
    }
    // A value may hold quotes itself. Of a key that is there already its name is known to stand last.
    $masked = $number === 1062
        ? preg_replace("/'.*'( for key '[^']*')$/s", "'…'$1", $message)
        : preg_replace('/\'.*\'|".*"/s', "'…'", $message);
    // Other servers repeat the row on lines of their own.
    return explode("\n", $masked ?? 'a value was refused')[0];
}

/** A statement up to its first value. */
function drydock_beginning(string $sql): string
{
    preg_match('/^(?:`[^`]*`|(?<=\w)\d|(?!--|\/\*)[^`\'"#\d$])*+/', $sql, $found);
    $beginning = $found[0] ?? '';
    return mb_scrub(mb_substr($beginning, 0, 500)) . ($beginning === $sql && mb_strlen($sql) <= 500 ? '' : '…');
}
