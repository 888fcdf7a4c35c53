# --allow-origin.
use Mojo::Base -strict, -signatures;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::More;
use TestBroker;

# A pattern, and what it lets in; `!` is what it does not, `~` what only origin-substring lets in, and `-` what only
# origin-substring keeps out.
my @TABLE = map { [split] } grep {/\S/} split /\n/, <<'END';
example.com http://example.com https://example.com http://www.example.com:3000 -http://EXAMPLE.com ~http://notexample.com ~http://example.com.evil.net ~http://evil.net/?example.com !http://example.net !http://exampleXcom
*.example.com http://www.example.com:3000 http://sub.www.example.com !http://example.com !http://notexample.com ~http://www.example.com.evil.net
*://www.example.com http://www.example.com https://www.example.com:3000 !http://example.com !http://sub.www.example.com
http://www.example.com:* http://www.example.com:3000 -http://www.example.com !https://www.example.com:1
http://www.example.com:80 -http://www.example.com http://www.example.com:80 !http://www.example.com:81
http://example.com http://example.com:8080 ~http://example.com.evil.net !http://www.example.com
http://* http://a.b:1 !https://a.b !null
* http://a.b https://a.b:1 null !0
null null ~http://null.example !http://example.com
END

# Is this origin let in? Asked by a WebSocket and by a POST, which have to agree.
sub lets_in ($broker, $origin) {
    my %headers = defined $origin ? (Origin => $origin) : ();
    my $status = eval { $broker->peer('/sub/x', %headers)->leave; 200 } || $@;
    chomp $status;
    my $answer = $broker->answer(POST => '/pub/x', {%headers}, 'x');
    is $answer->code, $status, 'WebSocket and POST agree on ' . ($origin // 'none');
    is $answer->body, 'Origin check failed' if $status == 401;
    return $status == 200;
}

for my $defect ('', 'origin-substring') {
    subtest $defect || 'an origin is matched part by part' => sub {
        for my $row (@TABLE) {
            my ($pattern, @origins) = @$row;
            my $broker = broker('--allow-origin', $pattern, $defect ? ('--defect', $defect) : ());
            for (@origins) {
                my ($mark, $origin) = /\A([!~-]?)(.*)\z/;
                my $expected = { '' => 1, '!' => 0, '~' => !!$defect, '-' => !$defect }->{$mark};
                is !!lets_in($broker, $origin), !!$expected, "$pattern: $origin";
            }
            ok !lets_in($broker, undef), "$pattern: none";
        }
    };
}

subtest 'one of several patterns is enough, and other answers are not touched' => sub {
    my $broker = broker('--allow-origin', 'a.example', '--allow-origin', 'b.example');
    ok lets_in($broker, 'http://b.example');
    ok !lets_in($broker, 'http://c.example');
    is $broker->status(GET => '/pub/x'), 404;
};

subtest 'without a pattern everything is let in' => sub {
    my $broker = broker();
    ok lets_in($broker, $_) for 'http://a.b', undef;
};

done_testing;
