<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up(): void
    {
        Schema::create('job_runs', function (Blueprint $table): void {
            $table->string('id', 64)->primary();
            $table->unsignedInteger('started')->default(0);
            $table->unsignedInteger('finished')->default(0);
        });
        Schema::create('traces', function (Blueprint $table): void {
            $table->id();
            $table->string('minute', 20)->index();
            $table->string('host');
        });
        Schema::create('failed_jobs', function (Blueprint $table): void {
            $table->id();
            $table->string('uuid')->unique();
            $table->text('connection');
            $table->text('queue');
            $table->longText('payload');
            $table->longText('exception');
            $table->timestamp('failed_at')->useCurrent();
        });
    }

    public function down(): void
    {
        Schema::dropIfExists('failed_jobs');
        Schema::dropIfExists('traces');
        Schema::dropIfExists('job_runs');
    }
};
