<?php

use App\Http\Controllers\FileController;
use App\Http\Controllers\FormController;
use App\Http\Controllers\PageController;
use App\Http\Controllers\SessionController;
use Illuminate\Support\Facades\Route;

Route::get('/', [PageController::class, 'home']);
Route::get('/release', [PageController::class, 'release']);
Route::get('/slow', [PageController::class, 'slow']);

Route::get('/form', [FormController::class, 'show']);
Route::post('/form', [FormController::class, 'save']);

Route::post('/files', [FileController::class, 'store']);
Route::get('/files/{name}', [FileController::class, 'download']);

Route::post('/api/session', SessionController::class);
