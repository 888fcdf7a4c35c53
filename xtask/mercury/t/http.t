# Statuses, and the bodies of POSTs.
use Mojo::Base -strict, -signatures;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::More;
use TestBroker;

use constant LIMIT => 262_144;

my $broker = broker();

subtest 'a POST is answered 200 without a body' => sub {
    my $answer = $broker->answer(POST => '/pub/x', {}, 'hello');
    is $answer->code, 200;
    is $answer->body, '';
};

subtest 'everything else is 404' => sub {
    for my $path (qw(/bus/x /pub/x /sub/x /push/x /pull/x)) {
        is $broker->status($_, $path), 404, "$_ $path" for qw(GET PUT DELETE PATCH OPTIONS HEAD);
    }
    is $broker->post($_ => 'x'), 404, "POST $_"
        for qw(/ /bus /bus/ /pub/ /push/ /sub/x /pull/x /PUB/x //pub/x /x/../pub/x);
    for my $path (qw(/ /bus /sub/ /SUB/x /nothing/x)) {
        is eval { $broker->peer($path) }, undef, "WebSocket $path";
        is $@, "404\n";
    }
};

subtest 'a body is one message as it stands' => sub {
    my $peer = $broker->peer('/bus/body');
    for my $body ('a=1&b=%20', '', "caf\xc3\xa9", "\xef\xbf\xbf", 'x' x LIMIT) {
        is $broker->post('/bus/body' => $body, { 'Content-Type' => 'application/x-www-form-urlencoded' }), 200;
        is $peer->next, "text $body";
    }
};

subtest 'octets stay binary; text has to be UTF-8' => sub {
    my $peer = $broker->peer('/bus/octets');
    is $broker->post('/bus/octets' => "\xe9\x00", { 'Content-Type' => 'application/octet-stream' }), 200;
    is $peer->next, "binary \xe9\x00";
    is $broker->post('/bus/octets' => $_), 400 for "\xe9", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc0\xaf";
    is $broker->post('/bus/octets' => 'the mark'), 200;
    is $peer->next, 'text the mark';
};

subtest 'post-latin1: what is no ASCII arrives encoded twice' => sub {
    my $wrong = broker('--defect', 'post-latin1');
    my $peer  = $wrong->peer('/bus/x');
    $wrong->post('/bus/x' => "\xc3\xa9");
    is $peer->next, "text \xc3\x83\xc2\xa9";
};

subtest 'a multipart body is a body as any other, and empty with multipart-empty' => sub {
    my $body = qq{--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n};
    my %heard = ('' => "text $body", 'multipart-empty' => 'text ');
    for my $defect (sort keys %heard) {
        my $one  = broker($defect ? ('--defect', $defect) : ());
        my $peer = $one->peer('/bus/x');
        is $one->post('/bus/x' => $body, { 'Content-Type' => 'multipart/form-data; boundary=b' }), 200;
        is $peer->next, $heard{$defect};
    }
};

subtest 'a body over the limit is 413 and reaches nobody' => sub {
    my $peer = $broker->peer('/bus/large');
    is $broker->post('/bus/large' => 'x' x (LIMIT + 1)), 413;
    is $broker->post('/bus/large' => 'x' x (17 * 2**20)), 413;
    is $broker->post('/bus/large' => 'the mark'), 200;
    is $peer->next, 'text the mark';
};

subtest 'large-post: it is delivered, cut short from 16 MiB on, and 200' => sub {
    my $wrong = broker('--defect', 'large-post');
    my $peer  = $wrong->peer('/bus/large');
    is $wrong->post('/bus/large' => 'x' x (LIMIT + 1)), 200;
    is length $peer->next, length('text ') + LIMIT + 1;
    is $wrong->post('/bus/large' => 'x' x (17 * 2**20)), 200;
    my $length = length $peer->next;
    cmp_ok $length, '<', 17 * 2**20;
    cmp_ok $length, '>', 15 * 2**20;
};

subtest 'headers over the limit are refused, and deliver an empty message with header-overflow' => sub {
    my %many = map { ("X-$_" => 'x') } 1 .. 101;
    my $peer = $broker->peer('/bus/headers');
    is $broker->post('/bus/headers' => 'x', {%many}), 431;
    is $broker->post('/bus/headers' => 'the mark'), 200;
    is $peer->next, 'text the mark';

    my $wrong = broker('--defect', 'header-overflow');
    $peer = $wrong->peer('/bus/headers');
    is $wrong->post('/bus/headers' => 'x', {%many}), 200;
    is $peer->next, 'text ';
};

subtest 'a request line over the limit is 414' => sub {
    is $broker->post('/bus/' . 'a' x 9000 => 'x'), 414;
};

done_testing;
