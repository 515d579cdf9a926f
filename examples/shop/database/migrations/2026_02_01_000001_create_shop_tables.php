<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up(): void
    {
        Schema::create('orders', function (Blueprint $table): void {
            $table->id();
            $table->bigInteger('n');
            $table->integer('total')->default(0);
            $table->timestamps();
        });
        Schema::create('order_log', function (Blueprint $table): void {
            $table->id();
            $table->unsignedBigInteger('order_id');
        });
        Schema::create('minutes', fn (Blueprint $table) => $table->string('minute', 16));
        Schema::create('invoices', function (Blueprint $table): void {
            $table->string('id', 60)->primary();
            $table->integer('begun')->default(0);
            $table->integer('done')->default(0);
            $table->string('worker', 64)->nullable();
        });
        // The definer is the account that migrates, as it is with most that say nothing of it.
        DB::statement('CREATE VIEW order_totals AS SELECT COUNT(*) AS orders, COALESCE(SUM(total), 0) AS total FROM '
            . 'orders');
        DB::unprepared('CREATE TRIGGER order_written AFTER INSERT ON orders FOR EACH ROW INSERT INTO order_log '
            . '(order_id) VALUES (NEW.id)');
    }

    public function down(): void
    {
        DB::unprepared('DROP TRIGGER order_written');
        DB::statement('DROP VIEW order_totals');
        foreach (['invoices', 'minutes', 'order_log', 'orders'] as $table) {
            Schema::drop($table);
        }
    }
};
