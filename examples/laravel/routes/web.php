<?php

use App\Http\Controllers\FileController;
use App\Http\Controllers\FormController;
use App\Http\Controllers\PageController;
use App\Http\Controllers\SessionController;
use Illuminate\Support\Facades\Route;

Route::get('/', [PageController::class, 'home']);

// Without a session: these two are asked thousands of times while a release is watched.
Route::withoutMiddleware('web')->group(function (): void {
    Route::get('/release', [PageController::class, 'release']);
    Route::get('/slow', [PageController::class, 'slow']);
});

Route::get('/form', [FormController::class, 'show']);
Route::post('/form', [FormController::class, 'save']);

Route::post('/files', [FileController::class, 'store']);
Route::get('/files/{name}', [FileController::class, 'download']);

Route::post('/api/session', SessionController::class);
