<?php

use App\Http\Controllers\HealthController;
use App\Http\Controllers\JobController;
use App\Http\Controllers\RowController;
use App\Http\Controllers\ScheduleController;
use Illuminate\Support\Facades\Route;

Route::get('/health', HealthController::class);

Route::post('/rows', [RowController::class, 'store']);
Route::get('/rows/count', [RowController::class, 'count']);

Route::post('/jobs', [JobController::class, 'store']);
Route::get('/jobs/{id}', [JobController::class, 'show']);

Route::get('/schedule', ScheduleController::class);
