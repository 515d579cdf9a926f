<?php

namespace App\Horizon;

use Closure;

/**
 * Keeps a number of workers running: one that ends is shown and replaced. Told to stop, it lets all of them finish
 * their jobs first; how long
 * that may take is for whoever stops it to say (Docker's stop timeout).
 *
 * Writes its state into a file of this container every two seconds, so that its health can be judged without asking
 * Redis, where the state
 * of all other containers would be mixed in:
 * {"status": "running" | "terminating", "host", "pid", "time": seconds since 1970, "restarts", "workers": [{"pid",
 * "running", "since"}]}
 */
class Supervisor
{
    private const HEARTBEAT_INTERVAL = 2.0;

    /** A worker that lived shorter than this is replaced only after a pause: Redis may be away. */
    private const SHORT_LIFE = 3.0;

    private const PAUSE = 2.0;

    /** @var array<int, Worker> by number, from 1 */
    private array $workers = [];

    /** @var array<int, float> when a worker may be started, by its number */
    private array $startableAt = [];

    private bool $stopping = false;

    private int $restarts = 0;

    private float $beatAt = 0.0;

    /**
     * @param  array{workers: int, heartbeat: string, connection: string, queue: string, timeout: int, tries: int,
     *   memory: int}  $config
     * @param  Closure(string): void  $say
     * @param  Closure(string, string): void  $output  gets what the workers write: the kind of stream and the text
     */
    public function __construct(private readonly array $config, private readonly Closure $say,
        private readonly Closure $output) {}

    /** Returns when all workers have ended after stop(). */
    public function run(): void
    {
        while (! $this->stopping || $this->workers !== []) {
            $this->reap();
            if (! $this->stopping) {
                $this->fill();
            }
            $this->beat();
            usleep(200_000);
        }
        @unlink($this->config['heartbeat']);
    }

    /** Safe to call from a signal handler, and more than once. */
    public function stop(): void
    {
        $this->stopping = true;
        $this->beatAt = 0.0;
        foreach ($this->workers as $worker) {
            $worker->terminate();
        }
    }

    private function reap(): void
    {
        foreach ($this->workers as $number => $worker) {
            if ($worker->isRunning()) {
                continue;
            }
            unset($this->workers[$number]);
            $lived = microtime(true) - $worker->startedAt;
            $this->startableAt[$number] = microtime(true) + ($lived < self::SHORT_LIFE ? self::PAUSE : 0.0);
            ($this->say)(sprintf('worker %d ended after %d s with %s', $number, $lived, $worker->ending()));
            $this->beatAt = 0.0;
        }
    }

    private function fill(): void
    {
        for ($number = 1; $number <= $this->config['workers']; $number++) {
            if (isset($this->workers[$number]) || microtime(true) < ($this->startableAt[$number] ?? 0.0)) {
                continue;
            }
            $this->restarts += isset($this->startableAt[$number]) ? 1 : 0;
            $worker = $this->workers[$number] = new Worker($this->config, $this->output);
            ($this->say)("worker $number started, process {$worker->pid()}");
            // A signal that came between the decision and the start has not reached this worker.
            if ($this->stopping) {
                $worker->terminate();

                return;
            }
        }
    }

    private function beat(): void
    {
        if (microtime(true) - $this->beatAt < self::HEARTBEAT_INTERVAL) {
            return;
        }
        $this->beatAt = microtime(true);
        $state = [
            'status' => $this->stopping ? 'terminating' : 'running',
            'host' => gethostname(),
            'pid' => getmypid(),
            'time' => time(),
            'restarts' => $this->restarts,
            'workers' => array_values(array_map(fn (Worker $worker): array => [
                'pid' => $worker->pid(),
                'running' => $worker->isRunning(),
                'since' => (int) $worker->startedAt,
            ], $this->workers)),
        ];
        // In one step: a reader never sees half of it.
        $part = $this->config['heartbeat'].'.part';
        file_put_contents($part, json_encode($state)."\n");
        rename($part, $this->config['heartbeat']);
    }
}
