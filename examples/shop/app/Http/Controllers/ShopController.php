<?php

namespace App\Http\Controllers;

use App\Jobs\Invoice;
use App\Models\Order;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\RedirectResponse;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Routing\Controller;
use Illuminate\Support\Facades\Cache;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Str;
use Illuminate\View\View;

class ShopController extends Controller
{
    public function home(): View
    {
        // Kept by the cache in the database, as Laravel's own .env.example has it.
        $orders = Cache::remember('orders', 5, fn () => Order::count());

        return view('home',
            ['orders' => $orders, 'pictures' => array_map('basename', glob(public_path('uploads/*')) ?: [])]);
    }

    public function release(): Response
    {
        return response(config('app.release'))->header('Content-Type', 'text/plain');
    }

    /** Works for `seconds` (at most 60). */
    public function slow(Request $request): Response
    {
        DB::selectOne('SELECT SLEEP(?)', [min(60, max(0, (float) $request->query('seconds', '1')))]);

        return response('done')->header('Content-Type', 'text/plain');
    }

    public function form(): View
    {
        return view('form');
    }

    /** A picture goes to public/uploads, where many older applications keep what their users bring. */
    public function save(Request $request): RedirectResponse
    {
        $data = $request->validate(['note' => 'required|string|max:200',
            'picture' => 'nullable|file|mimes:png,jpg,txt|max:262144']);
        if ($request->hasFile('picture')) {
            $request->file('picture')->move(public_path('uploads'), Str::slug($data['note']).'.'
                .$request->file('picture')->extension());
        }

        return redirect('/form')->with('status', $data['note']);
    }

    public function order(Request $request): JsonResponse
    {
        $order = Order::create($request->validate(['n' => 'required|integer']));

        return response()->json(['id' => $order->id, 'n' => $order->n], 201);
    }

    /** The view and the trigger of the migrations: what is summed up, and what the trigger has written down. */
    public function totals(): JsonResponse
    {
        return response()->json([
            'count' => Order::count(),
            'view' => (int) DB::table('order_totals')->value('orders'),
            'trigger' => DB::table('order_log')->count(),
            'minutes' => DB::table('minutes')->count(),
        ]);
    }

    public function session(Request $request): JsonResponse
    {
        return response()->json(['count' => $request->session()->increment('count')]);
    }

    public function invoice(Request $request): JsonResponse
    {
        $data = $request->validate(['id' => 'required|string|max:60', 'seconds' => 'required|integer|min:0|max:60']);
        Invoice::dispatch($data['id'], $data['seconds']);

        return response()->json(['queued' => $data['id']], 202);
    }

    public function invoices(): JsonResponse
    {
        return response()->json(DB::table('invoices')->get());
    }
}
