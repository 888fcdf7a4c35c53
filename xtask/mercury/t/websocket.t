# Frames: what goes in, what comes out, and how it ends.
use Mojo::Base -strict, -signatures;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::More;
use TestBroker;

use constant LIMIT => 262_144;

my $broker = broker();

subtest 'text stays text, binary stays binary, empty ones are delivered' => sub {
    my ($one, $two) = map { $broker->peer('/bus/kinds') } 1, 2;
    $one->say('')->binary('')->say("caf\xc3\xa9")->binary("\xe9\x00");
    is $two->next, $_ for 'text ', 'binary ', "text caf\xc3\xa9", "binary \xe9\x00";
};

subtest 'binary-as-text: bytes become Latin-1 characters' => sub {
    my $wrong = broker('--defect', 'binary-as-text');
    my ($one, $two) = map { $wrong->peer('/bus/kinds') } 1, 2;
    $one->binary("\xe9");
    is $two->next, "text \xc3\xa9";
};

subtest 'text that is not UTF-8 ends its sender with 1007' => sub {
    for my $bytes ("\xff", "\xed\xa0\x80", "a\xc3") {
        for my $path (qw(/bus/utf8 /sub/utf8)) {
            my ($one, $two) = ($broker->peer($path), $broker->peer('/bus/utf8'));
            $one->say($bytes)->say('not this either');
            is $one->next, 'closed 1007';
            $broker->post('/bus/utf8' => 'the mark');
            is $two->next, 'text the mark';
        }
    }
};

subtest 'invalid-as-empty: it arrives as an empty text' => sub {
    my $wrong = broker('--defect', 'invalid-as-empty');
    my ($one, $two) = map { $wrong->peer('/bus/utf8') } 1, 2;
    $one->say("\xff")->say('next');
    is $two->next, $_ for 'text ', 'text next';
};

subtest 'crash: it ends the broker' => sub {
    my $wrong = broker('--defect', 'crash');
    my $peer  = $wrong->peer('/sub/x');
    $peer->say("\xff");
    is $peer->next, 'closed 1006';
    is $wrong->ended, -9;
};

subtest 'a message of the limit passes, one byte more ends its sender with 1009' => sub {
    my ($one, $two) = map { $broker->peer('/bus/size') } 1, 2;
    $one->say('x' x LIMIT)->say('y' x (LIMIT + 1));
    is length $two->next, length('text ') + LIMIT;
    is $one->next, 'closed 1009';
    $broker->post('/bus/size' => 'the mark');
    is $two->next, 'text the mark';
};

subtest 'the limit counts all fragments, which arrive as one message' => sub {
    my ($one, $two) = map { $broker->peer('/bus/parts') } 1, 2;
    my $fragment = sub ($final, $opcode, $bytes) { $one->{tx}->send([$final, 0, 0, 0, $opcode, $bytes]) };
    $fragment->(0, 1, 'ab');
    $fragment->(1, 0, 'cd');
    is $two->next, 'text abcd';
    $fragment->(0, 1, 'x' x LIMIT);
    $fragment->(1, 0, 'y');
    is $one->next, 'closed 1009';
};

subtest 'neither subprotocols nor compression are taken up' => sub {
    my %offers = ('Sec-WebSocket-Protocol' => 'wamp.2.json', 'Sec-WebSocket-Extensions' => 'permessage-deflate');
    my $peer = $broker->peer('/bus/x', %offers);
    my $headers = $peer->{tx}->res->headers;
    is $headers->sec_websocket_protocol, undef;
    is $headers->sec_websocket_extensions, undef;
};

subtest 'a Close is answered with its code' => sub {
    my $peer = $broker->peer('/bus/close');
    $peer->{tx}->send([1, 0, 0, 0, 8, pack 'n a*', 4321, 'why']);
    is $peer->next, 'closed 4321';
};

subtest 'everybody is pinged, unless no-ping' => sub {
    my $often = broker('--ping', 0.05);
    my @peers = map { $often->peer("/$_/x") } qw(bus pub sub push pull);
    is $_->next_ping, 'Still alive!' for @peers;

    # Nothing comes while a broker that pings would have done so many times over.
    my $never = broker('--ping', 0.05, '--defect', 'no-ping');
    my $peer = $never->peer('/bus/x');
    $_->{pings} = [] for @peers;
    for my $other (@peers) { $other->next_ping for 1 .. 5 }
    $peer->leave;
    is $peer->next_ping, 'none';
};

subtest 'the broker says 1001 and ends with 0; without a word if abrupt-end' => sub {
    my %code = ('' => 'closed 1001', 'abrupt-end' => 'closed 1006');
    for my $defect (sort keys %code) {
        my $one   = broker($defect ? ('--defect', $defect) : ());
        my @peers = map { $one->peer("/$_/x") } qw(bus pub sub push pull);
        kill 'TERM', $one->{pid};
        is $_->next, $code{$defect}, $defect || 'well-behaved' for @peers;
        is $one->ended, 0;
    }
    is broker()->end, 0, 'with nobody there';
};

done_testing;
