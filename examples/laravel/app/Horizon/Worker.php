<?php

namespace App\Horizon;

use Closure;
use Symfony\Component\Process\Process;

/** One `queue:work` process, in the container that supervises it. */
class Worker
{
    public readonly float $startedAt;

    private readonly Process $process;

    /**
     * @param  array{connection: string, queue: string, timeout: int, tries: int, memory: int}  $config
     * @param  Closure(string, string): void  $output  gets the kind of stream and its text
     */
    public function __construct(array $config, Closure $output)
    {
        $this->process = new Process([
            PHP_BINARY, base_path('artisan'), 'queue:work', $config['connection'],
            '--queue='.$config['queue'],
            '--timeout='.$config['timeout'],
            '--tries='.$config['tries'],
            '--memory='.$config['memory'],
            '--sleep=1',
        ], base_path(), timeout: null);
        $this->process->start($output);
        $this->startedAt = microtime(true);
    }

    public function pid(): ?int
    {
        return $this->process->getPid();
    }

    /** Also passes on what the worker has written meanwhile. */
    public function isRunning(): bool
    {
        return $this->process->isRunning();
    }

    /** Lets the job that runs finish; the worker takes no further one. */
    public function terminate(): void
    {
        if ($this->process->isRunning()) {
            $this->process->signal(SIGTERM);
        }
    }

    public function ending(): string
    {
        return $this->process->hasBeenSignaled()
            ? 'signal '.$this->process->getTermSignal()
            : 'exit code '.$this->process->getExitCode();
    }
}
