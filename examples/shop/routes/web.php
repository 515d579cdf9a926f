<?php

use App\Http\Controllers\ShopController;
use Illuminate\Support\Facades\Route;

Route::get('/', [ShopController::class, 'home']);
Route::get('/form', [ShopController::class, 'form']);
Route::post('/form', [ShopController::class, 'save']);

Route::withoutMiddleware('web')->group(function (): void {
    Route::get('/up', fn () => response('up'));
    Route::get('/release', [ShopController::class, 'release']);
    Route::get('/slow', [ShopController::class, 'slow']);
});
