<?php
// How a script of ours answers, so that nothing else which PHP or the application prints (a notice, a deprecation, a
// BOM, an echo
// of a file that is loaded) can be taken for its answer: in a line of its own after a record separator, as RFC 7464 has
// it.

/**
 * Gives the answer, a line of JSON. What a web server has buffered before it is dropped; on the command line it goes
 * past all buffers.
 */
function drydock_answer(array $answer): void
{
    $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;
    $line = "\n\x1e" . json_encode($answer, $flags) . "\n";
    if (PHP_SAPI === 'cli') {
        fwrite(STDOUT, $line);
        return;
    }
    while (ob_get_level() > 0 && @ob_end_clean());
    echo $line;
}

/** The last answer in what was printed; null where there is none. */
function drydock_answered(string $printed): ?string
{
    return preg_match_all('/^\x1e(.*)$/m', $printed, $found) > 0 ? end($found[1]) : null;
}

/**
 * Whether a cache is older than the file that it was made from. Whole seconds are compared, and Pulumi's plugin rounds
 * the time of a file that it puts into a container, so that one of this second can be of the next: less than two
 * seconds say nothing.
 */
function drydock_older(string $cache, string $file): bool
{
    return filemtime($cache) + 1 < filemtime($file);
}

/**
 * Compares what Laravel has read of the environment with the plan, which has a keyed hash of each variable, no value.
 * @param array<string, string> $plan hashes by name
 * @return array{missing: list<string>, differs: list<string>} names alone
 */
function drydock_compared(array $plan): array
{
    $read = Illuminate\Support\Env::getRepository();
    $key = (string) $read->get('APP_KEY');
    $answer = ['missing' => [], 'differs' => []];
    foreach ($plan as $name => $hash) {
        $found = $read->get($name);
        if ($found === null) {
            $answer['missing'][] = $name;
        } elseif (!hash_equals($hash, hash_hmac('sha256', $found, $key))) {
            $answer['differs'][] = $name;
        }
    }
    return $answer;
}
