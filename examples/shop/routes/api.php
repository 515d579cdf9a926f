<?php

use App\Http\Controllers\ShopController;
use Illuminate\Support\Facades\Route;

Route::post('/rows', [ShopController::class, 'order']);
Route::get('/totals', [ShopController::class, 'totals']);
Route::post('/session', [ShopController::class, 'session'])->middleware('remembered');
Route::post('/invoices', [ShopController::class, 'invoice']);
Route::get('/invoices', [ShopController::class, 'invoices']);
